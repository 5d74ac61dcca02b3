"""The export that comes with Comity, to try it on: 5,000 people who do not exist. tools/make_sample.py writes it."""

from pathlib import Path

PATH = Path(__file__).with_name("hubspot-export.csv")
