"""The vSphere side: connection, inventory, snapshots, power and leases."""
