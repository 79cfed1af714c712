"""What is wrong with a package, by subject: each check is a function from what was read to findings."""
