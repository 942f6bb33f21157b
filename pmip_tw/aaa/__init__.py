"""Profiles and the exchanges that fetch them from AAA."""
