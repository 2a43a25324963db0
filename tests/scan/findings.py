"""Prints what testssl.sh found of severity LOW and above; fails at MEDIUM and at what could not be tested.

usage: findings.py named|nameless FILE
"""

import json
import re
import sys
from typing import NamedTuple

SHOWN = ("LOW", "MEDIUM", "HIGH", "CRITICAL", "WARN", "FATAL")

# One of each part of a whole scan, as the ids of testssl.sh begin.
PARTS = (
    "SSLv2",
    "TLS1_3",
    "cipherlist_NULL",
    "cipher_order",
    "cert_chain_of_trust",
    "HSTS",
    "heartbleed",
    "RC4",
    "clientsimulation",
)


class Allowed(NamedTuple):
    """A finding that is no failure, and why."""

    scan: str
    id: str
    finding: str
    reason: str


ALLOWED = (
    Allowed(
        "any",
        "engine_problem",
        "No engine or GOST support",
        "about this machine's openssl: no GOST cipher can be tried, and rustls has none",
    ),
    Allowed(
        "any",
        "sessionresumption_ticket",
        "check failed because of connect problem",
        "testssl.sh may close before TLS 1.3's ticket has come; tests/scan/run resumes by itself",
    ),
    Allowed(
        "nameless",
        "cert_trust",
        "certificate does not match supplied URI",
        "without a name there is no certificate to choose: the one shown names nobody",
    ),
    Allowed(
        "nameless",
        "cert_chain_of_trust",
        "self signed",
        "no authority vouches for nobody",
    ),
    Allowed(
        "nameless",
        "cert_validityPeriod",
        r"\d+ days",
        "it never expires (RFC 5280, 4.1.2.5)",
    ),
    Allowed(
        "nameless",
        "cert_revocation",
        "Neither CRL nor OCSP URI provided",
        "nobody revokes what nobody trusts",
    ),
)


def allowed(scan, finding):
    for one in ALLOWED:
        if (
            one.scan in ("any", scan)
            and one.id == finding["id"].split(" ")[0]
            and re.search(one.finding, finding["finding"])
        ):
            return one
    return None


def main(scan, file):
    with open(file, encoding="utf-8") as text:
        try:
            findings = json.load(text)
        except json.JSONDecodeError:
            print("FAIL  testssl.sh left no whole list of findings")
            return 1
    seen = {finding["id"] for finding in findings}
    failures = [
        f"nothing about {part}: the scan is not whole"
        for part in PARTS
        if not any(id.startswith(part) for id in seen)
    ]
    print(f"{len(findings)} findings; those of LOW and above:")
    for finding in findings:
        severity = finding["severity"]
        if severity not in SHOWN:
            continue
        reason = allowed(scan, finding)
        verdict = "low" if severity == "LOW" else "allowed" if reason else "FAIL"
        print(f"  {verdict:8} {severity:9} {finding['id']:26} {finding['finding']}")
        if verdict == "allowed":
            print(f"  {'':18} because {reason.reason}")
        if verdict == "FAIL":
            failures.append(f"{severity} {finding['id']}")
    for failure in failures:
        print(f"FAIL  {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
