"""The life of the sample company as arrays."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.sample.customers import Customers, Purchases
from analysis.sample.installed_base import Units
from analysis.sample.loyalty import Experience, Loyalty, Terms
from analysis.sample.money import Claims, Parts, Postings, Provision
from analysis.sample.sales import Sales
from analysis.sample.service import Orders
from analysis.sample.streams import Ints, Streams
from analysis.sample.timeline import Timeline
from analysis.sample.truths import Planted
from analysis.sample.voice import Surveys
from analysis.sample.work import Desk, Staff


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """Everything as arrays, before it becomes tables: what the tests and the answer sheet look into."""

    streams: Streams
    scale: float
    customers: Customers
    purchases: Purchases
    product: Ints
    quantity: Ints
    desk: Desk
    crew: Staff
    experience: Experience
    loyalty: Loyalty
    terms: Terms
    parts: Parts
    claims: Claims
    sold: Sales
    postings: Postings
    provision: Provision
    surveys: Surveys

    @property
    def timeline(self) -> Timeline:
        return self.desk.timeline

    @property
    def planted(self) -> Planted:
        return self.desk.planted

    @property
    def units(self) -> Units:
        return self.desk.units

    @property
    def orders(self) -> Orders:
        return self.desk.orders
