"""The WinRM service of a lab guest: WS-Man and WinRS over HTTP and HTTPS, as far as any client of them goes.

Read it in this order: ``envelope`` (SOAP in and out), ``faults`` (how it refuses), ``command`` and ``shells`` (what
runs), ``endpoint`` (what each action answers), ``credentials``, ``authentication`` and ``sealing`` (who asks),
``service`` (the ports).
"""
