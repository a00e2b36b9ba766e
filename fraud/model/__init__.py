"""Likeness to accounts blocked before: the estimator, its training, its files.

The only package that imports scikit-learn.
"""
