"""What is remembered: settings, tables, and the questions the product asks of them. Imports nothing else of ours."""
