"""Packages read before they are run: MSI, EXE and ZIP, on the controller, on any operating system, without Windows."""
