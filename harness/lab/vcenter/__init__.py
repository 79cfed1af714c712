"""The lab's vCenter: SOAP over HTTPS, served with pyVmomi's own type tables, whose virtual machines are lab guests.

Read in this order: ``soap`` (requests, answers, faults), ``objects`` (what an object of the inventory is),
``virtualmachine`` and ``tasks`` (what can be done with one), ``collector`` (properties and waiting for them to change),
``service`` (log-in, search, views), ``guestoperations`` and ``endpoint`` (HTTP).
"""
