"""The pages, in the order of the menu: the one place that declares them."""

from __future__ import annotations

from lakehouse.serve.pages import alerts, compliance, data, live, players, questions
from lakehouse.serve.pages.here import Page

PAGES = (
    Page("today", "Today", "How did the house do, and what is there to act on?"),
    Page("floor", "Floor", "Which machines, tables and zones earn, and which are not as built?"),
    Page(
        "players",
        "Players",
        "Who is worth what, and who should hear of us?",
        players.body,
    ),
    Page("compliance", "Compliance", "What is due, late or wrong?", compliance.body),
    Page("protection", "Protection", "Whom should somebody talk to, and why?", alerts.body),
    Page("fraud", "Fraud", "Which orders and users are not what they seem?", alerts.body),
    Page("online", "Online", "What is played online, by whom, and what does it leave?", live.body),
    Page(
        "platform",
        "Game platform",
        "Where are players, where do they get stuck, do servers hold?",
        live.body,
    ),
    Page("shop", "Shop", "What sells, and how many who look buy?", live.body),
    Page("data", "Data", "May these days be trusted, and why not?", data.body),
    Page("monitor", "Monitor", "Does the house run, and what is to be done?"),
    Page("sql", "SQL", "What else do you want to know?", questions.body),
)
