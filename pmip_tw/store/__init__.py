"""Journals of records that outlive the process."""
