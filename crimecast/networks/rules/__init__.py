"""Which elements of its inputs each kind of torch's operations makes its output from."""
