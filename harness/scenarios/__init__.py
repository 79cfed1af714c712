"""The stories a product must survive on a build, one file each."""
