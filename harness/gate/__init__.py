"""The gate: from a run's evidence, a policy and its waivers to ship or hold, with every reason named."""
