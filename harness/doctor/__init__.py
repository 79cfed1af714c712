"""The doctor: checks the way from this controller to every machine of a site, a line each with the way to mend it."""
