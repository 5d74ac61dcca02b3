"""What the law says about using personal data, asked one question at a time.

Pure: no database, no network, no clock; the day is always given. Start with `lawbook()` and `may()`.
"""

from comity.law.asking import decide, finding_for, may
from comity.law.cache import lawbook
from comity.law.conditions import ConditionError
from comity.law.deciding import Finding, Reason
from comity.law.decisions import Decision
from comity.law.duties import Owed, must
from comity.law.folding import Plan, fold
from comity.law.known import as_known
from comity.law.lawbook import Lawbook, PackError, Verdict
from comity.law.loading import SHIPPED, read_packs
from comity.law.places import UnknownPlace
from comity.law.vocabulary import FactError

__all__ = [
    "SHIPPED", "ConditionError", "Decision", "FactError", "Finding", "Lawbook", "Owed", "PackError", "Plan", "Reason",
    "UnknownPlace", "Verdict", "as_known", "decide", "finding_for", "fold", "lawbook", "may", "must", "read_packs",
]  # fmt: skip
