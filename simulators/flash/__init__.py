"""A flash sale: ten thousand buyers, five hundred pieces, an ERP that takes its time, webhooks late and lost."""

from simulators.flash.sale import Sale
from simulators.flash.stalls import ERP, SECRET, STORES, Stall, open_stall
from simulators.flash.verdict import ARRIVED, Verdict, judge

__all__ = ["ARRIVED", "ERP", "SECRET", "STORES", "Sale", "Stall", "Verdict", "judge", "open_stall"]
