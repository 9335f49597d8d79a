"""What is counted of a running API, in the form that Prometheus reads."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from gnomon.engine import AnswerCache
from gnomon.serve.http.replies import Replies
from gnomon.state import QuestionLog

_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)


class Measures:
    """Counters of one API; a registry of its own, so that two in one process do not mix."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.questions = Counter(
            "gnomon_questions", "Questions by what came of them.", ["outcome"], registry=self._registry
        )
        self.seconds = Histogram(
            "gnomon_question_seconds", "Time to an answer.", ["kept"], buckets=_SECONDS, registry=self._registry
        )
        self.rollup_answers = Counter(
            "gnomon_rollup_answers", "Answers made that read a rollup.", registry=self._registry
        )
        self.rollup_checks = Counter(
            "gnomon_rollup_checks",
            "Answers from rollups held against the tables, by what came of it.",
            ["outcome"],
            registry=self._registry,
        )
        self._withdrawn = Gauge(
            "gnomon_rollups_withdrawn",
            "Rollups in service that answer otherwise than their tables.",
            registry=self._registry,
        )
        self._waiting = Gauge("gnomon_questions_waiting", "Questions that wait for a place.", registry=self._registry)
        self._bytes = Gauge("gnomon_kept_bytes", "Bytes of answers that are kept.", registry=self._registry)
        self._hits = Gauge("gnomon_kept_hits", "Times that an answer was kept already.", registry=self._registry)
        self._unwritten = Gauge(
            "gnomon_log_waiting", "Entries of the log that the disk has not taken yet.", registry=self._registry
        )
        self._lost = Gauge("gnomon_log_lost", "Entries of the log that are lost.", registry=self._registry)
        self._misses = Gauge("gnomon_kept_misses", "Times that an answer had to be made.", registry=self._registry)

    def write(self, answers: AnswerCache, replies: Replies, log: QuestionLog, waiting: int, withdrawn: int) -> bytes:
        """Return all of it as text."""
        self._withdrawn.set(withdrawn)
        self._waiting.set(waiting)
        self._bytes.set(answers.bytes + replies.bytes)
        self._hits.set(answers.hits + replies.hits)
        self._misses.set(answers.misses)
        self._unwritten.set(log.waiting)
        self._lost.set(log.lost)
        return generate_latest(self._registry)
