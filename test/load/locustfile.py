"""A load test of Hopcount: users who shorten URLs, who follow links (by Zipf's law) and who read statistics.

    pip install locust
    locust -f test/load/locustfile.py --host http://127.0.0.1:8080 --headless -u 100 -r 20 -t 60s
    node test/load/compare-counts.ts --host http://127.0.0.1:8080

The run writes the number of redirects per slug to test/load/answered.json; the second command compares them with the
counts, and exits with 1 if they differ. Nothing is retried: a redirect that was answered is counted once.
"""

import json
import os
import random
from collections import Counter

from locust import between, events, task
from locust.contrib.fasthttp import FastHttpUser

LINKS = 1_000
EXPONENT = 1.0
REPORT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "answered.json")

slugs: list[str] = []
weights: list[float] = []
answered: Counter[str] = Counter()
# Requests in flight or without a response (including those cut off by the end of the run): they may be counted.
unknown: Counter[str] = Counter()


def remember(slug: str) -> None:
    slugs.append(slug)
    weights.append(1 / len(slugs) ** EXPONENT)


class Visitor(FastHttpUser):
    """Follows links: the most popular one gets the most visits."""

    weight = 20
    wait_time = between(0.01, 0.1)

    @task
    def follow(self) -> None:
        if not slugs:
            return
        slug = random.choices(slugs, weights)[0]
        unknown[slug] += 1
        with self.client.get(f"/{slug}", name="GET /:slug", allow_redirects=False, catch_response=True) as response:
            if response.status_code == 0:
                response.failure("no response")
                return
            unknown[slug] -= 1
            if response.status_code == 307:
                answered[slug] += 1
                response.success()
            else:
                response.failure(f"status {response.status_code}")


class Author(FastHttpUser):
    """Shortens URLs until there are enough links."""

    weight = 2
    wait_time = between(0.05, 0.2)

    @task
    def shorten(self) -> None:
        if len(slugs) >= LINKS:
            return
        body = {"long_url": f"https://example.com/article/{random.randrange(10**9)}"}
        with self.client.post("/shorten", json=body, name="POST /shorten", catch_response=True) as response:
            if response.status_code == 201:
                remember(response.json()["slug"])
                response.success()
            else:
                response.failure(f"status {response.status_code}")


class Reader(FastHttpUser):
    """Polls statistics as a dashboard does, with the ETag of the last response."""

    weight = 3
    wait_time = between(0.5, 1.5)

    def on_start(self) -> None:
        self.etag = ""

    @task(3)
    def top(self) -> None:
        headers = {"If-None-Match": self.etag} if self.etag else {}
        with self.client.get("/stats?limit=10", name="GET /stats", headers=headers, catch_response=True) as response:
            if response.status_code in (200, 304):
                self.etag = response.headers.get("ETag", self.etag) if response.headers else self.etag
                response.success()
            else:
                response.failure(f"status {response.status_code}")

    @task(1)
    def one(self) -> None:
        if slugs:
            self.client.get(f"/stats/{random.choice(slugs)}", name="GET /stats/:slug")


@events.test_stop.add_listener
def write_report(**_kwargs: object) -> None:
    with open(REPORT, "w", encoding="utf-8") as report:
        json.dump({"answered": answered, "unknown": unknown}, report)
