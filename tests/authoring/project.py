"""The files of a project in which everything is right."""

PRODUCT = """\
id = "demo"
name = "Demo"
kind = "msi"
install_dir = 'C:\\Program Files\\Demo'

[[versions]]
version = "1.0"
file = "../../packages/demo-1.0.msi"
sha256_file = "../../packages/SHA256SUMS"

[[versions]]
version = "1.1"
file = "../../packages/demo-1.1.msi"
sha256_file = "../../packages/SHA256SUMS"

[[versions]]
version = "2.0"
file = "../../packages/demo-2.0.msi"
sha256_file = "../../packages/SHA256SUMS"

[rollback]
file = "../../packages/demo-2.0-fails.msi"
sha256_file = "../../packages/SHA256SUMS"

[proofs]
files = ['{install_dir}\\demo.exe']
uninstall_entry = { display_name = "Demo {version}", display_version = "{version}" }
command = { run = '"{install_dir}\\demo.exe" --version', prints = "demo {version}" }
"""
MATRIX = """\
name = "matrix"
builds = [22631, 19044]
products = ["demo"]
scenarios = ["install", "upgrade", "rollback"]
"""
SCENARIOS = ("install", "upgrade", "denied", "rollback", "uninstall")
