"""The night: from reviewed tickets to an evaluated adapter. Imports `store` and `serving`."""
