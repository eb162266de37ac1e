"""The transactional outbox: messages written with what they tell, sent by the courier.

`writing` is imported with the models, so that no process stores an event past it.
"""

from grids.outbox.models import SMS, Message, Receiver
from grids.outbox.writing import write

__all__ = ["SMS", "Message", "Receiver", "write"]
