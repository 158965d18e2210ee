"""Monday, nine o'clock: the orders of a weekend leave two shops for one Odoo, and everything goes wrong that can."""

from simulators.monday.books import Books, ShopBook
from simulators.monday.post import Post
from simulators.monday.scene import Scene, open_scene
from simulators.monday.way_back import Compared
from simulators.monday.weekend import Role, Sale, weekend

__all__ = ["Books", "Compared", "Post", "Role", "Sale", "Scene", "ShopBook", "open_scene", "weekend"]
