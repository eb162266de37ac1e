"""Residents and households: counts for everybody, single persons for a named role only."""

from grids.people.counts import MEASURES, PUBLISHED_EVERY, PeopleCount, PeopleDraw
from grids.people.counts_groups import PeopleGroupCount
from grids.people.counts_publish import publish_counts, publish_if_due
from grids.people.models import Household, Person

__all__ = [
    "MEASURES",
    "PUBLISHED_EVERY",
    "Household",
    "PeopleCount",
    "PeopleDraw",
    "PeopleGroupCount",
    "Person",
    "publish_counts",
    "publish_if_due",
]
