"""Writes the data of the peers' harness as lines of numbers, for `learn sets` and `learn slates`: the same rows in the same order.

Usage: learn.py FOLDER SEEDS, with the harness on PYTHONPATH and its data at PEERS_DATA. Writes FOLDER/sets and FOLDER/slates.
"""

import os
import sys

import numpy

SETS = (
    "breast_cancer mushroom german spambase contraceptive satimage marketing digits penbased vowel letter".split()
)
MOST = 3000


def write(path, rows):
    with open(path, "w", encoding="ascii") as file:
        file.writelines(",".join(map(str, row)) + "\n" for row in rows)


def sets(folder, seeds):
    import datasets

    for name in SETS:
        values, labels, _ = datasets.load(name)
        rows = ([int(label), *map(float, row)] for label, row in zip(labels, values))
        write(f"{folder}/{name}.csv", rows)
        orders = (numpy.random.RandomState(seed).permutation(len(labels))[:MOST] for seed in range(seeds))
        write(f"{folder}/{name}.orders", orders)


def slates(folder, seeds):
    import ml100k_slates

    for seed in range(seeds):
        decisions, films, _, _ = ml100k_slates.world(seed)
        write(f"{folder}/films.csv", ([film, year, *genres] for film, (genres, year) in films.items()))
        rows = (
            [*user, *(part for film, liked in zip(slate, rewards) for part in (film, int(liked)))]
            for user, _, slate, rewards in decisions
        )
        write(f"{folder}/{seed}.csv", rows)


if __name__ == "__main__":
    to, count = sys.argv[1], int(sys.argv[2])
    for make in (sets, slates):
        os.makedirs(f"{to}/{make.__name__}", exist_ok=True)
        make(f"{to}/{make.__name__}", count)
