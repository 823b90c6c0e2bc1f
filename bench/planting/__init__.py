"""Networks that are sick on purpose, healthy ones, and the cities that they are trained on."""
