"""Vowpal Wabbit in the worlds of `learn delayed`: asked and told in lines of JSON, see bench/src/bin/learn/peer.rs.

Usage: vw_delayed.py REWARD FLAGS, where REWARD is what it learns of: click, activation, or both for an activation after a click.
An example is learnt once, as soon as its reward is known; actions have the guide's id and features, and what FLAGS pair of them with
the user's: the namespaces are p (plan), n (need), l (component and intent) and i (the guide's id).
"""

import itertools
import json
import sys

import vowpalwabbit

LABEL = vowpalwabbit.LabelType.CONTEXTUAL_BANDIT


class Bandit:
    def __init__(self, reward, flags):
        self.vw = vowpalwabbit.Workspace(f"--cb_explore_adf {' '.join(flags)} -b 18 --quiet")
        self.reward = reward
        self.open = {}

    def choose(self, visit, user, guides, draw):
        shared = f"shared |p p{user['plan']} |n n{user['need']}"
        actions = [f"|l c{g['component']} t{g['intent']} |i {g['id']}" for g in guides]
        example = self.vw.parse([shared, *actions], LABEL)
        law = self.vw.predict(example)
        self.vw.finish_example(example)
        # It rounds to 32 bits: parts that make up 1 in its own numbers.
        law = [part / sum(law) for part in law]
        reached = itertools.accumulate(law)
        choice = next((n for n, end in enumerate(reached) if draw / 2**32 < end), law.index(max(law)))
        self.open[visit] = (shared, actions, choice, law[choice], {})
        return {"choice": choice, "probability": law[choice]}

    def learn(self, visit, what, came):
        known = self.open[visit][-1]
        known[what] = came
        if self.reward == "both":
            wanted = ("click", "activation")
        else:
            wanted = (self.reward,)
        if any(name not in known for name in wanted):
            return
        shared, actions, choice, probability, _ = self.open.pop(visit)
        cost = -1 if all(known[name] for name in wanted) else 0
        labelled = [f"0:{cost}:{probability:.9f} {a}" if n == choice else a for n, a in enumerate(actions)]
        example = self.vw.parse([shared, *labelled], LABEL)
        self.vw.learn(example)
        self.vw.finish_example(example)


def main():
    bandit = Bandit(sys.argv[1], sys.argv[2:])
    for line in sys.stdin:
        told = json.loads(line)
        if "guides" in told:
            print(json.dumps(bandit.choose(**told)), flush=True)
        elif told["visit"] in bandit.open:
            bandit.learn(**told)


if __name__ == "__main__":
    main()
