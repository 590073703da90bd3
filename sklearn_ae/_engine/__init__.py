"""The machinery of a fit, in torch; it knows no estimator class.

A fit passes values from room to room and writes nothing to the estimator: see
docs/developing.md for the way from one to the next.
"""
