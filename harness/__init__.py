"""A compatibility test harness across Windows builds."""
