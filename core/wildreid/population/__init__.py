"""From identities to populations: effort, occasions, capture histories, what others estimate from, first numbers.

`take_survey` puts a gallery's annotations into the occasions and stations of a table of deployments; an
exporter writes the `Survey` in another program's form, and `wildreid.population.estimators` gives the first
numbers without one.
"""
