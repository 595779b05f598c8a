"""The review desk: a person decides who is who, in the browser, and nothing is lost."""
