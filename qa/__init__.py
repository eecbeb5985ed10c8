"""Question -> answer with citations."""

from qa.ask import Assistant, ask
from qa.records import Answer, Citation, Turn

__all__ = ["Answer", "Assistant", "Citation", "Turn", "ask"]
