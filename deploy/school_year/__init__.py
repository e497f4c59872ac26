"""A school year in an hour: dated tickets are asked day by day of the real product, reviewed, and learnt at night."""
