"""The pages that come from the code, a module a page."""
