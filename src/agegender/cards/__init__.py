"""Model cards: what a person must know of a model before using it, written from the records of its run."""

from agegender.cards.card import CARD_FILE, model_card, write_cards
from agegender.cards.facts import CardFacts, MissingFactError, read_facts
from agegender.cards.terms import DATA_SETS, DataTerms, data_terms

__all__ = [
    "CARD_FILE",
    "DATA_SETS",
    "CardFacts",
    "DataTerms",
    "MissingFactError",
    "data_terms",
    "model_card",
    "read_facts",
    "write_cards",
]
