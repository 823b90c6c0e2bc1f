"""Looking into a network: what each of its layers does with a step."""
