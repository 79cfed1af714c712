"""The lab's vCenter: SOAP over HTTPS, served with pyVmomi's own type tables, whose virtual machines are lab guests.

Read in this order: ``soap`` (requests, answers, faults), ``objects`` (what an object of the inventory is),
``places`` and ``tree`` (what there is), ``virtualmachine``, ``snapshots``, ``description`` and ``tasks`` (machines),
``selection`` and ``collector`` (properties, and waiting for them to change), ``sessions`` and ``service`` (log-in,
search, views), ``guestoperations``, and ``endpoint`` (HTTP).
"""
