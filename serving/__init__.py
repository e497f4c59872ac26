"""The model as others see it: launching vLLM, asking it, and moving adapters on it. Imports `store`."""
