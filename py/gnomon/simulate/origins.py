"""What accounts come from: devices, networks, means of payment and e-mail domains, as codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gnomon.simulate.codes import make_codes
from gnomon.simulate.world import NONE, Ints, World, draw_choices

_CARRIERS_PER_REGION = 3
_DOMAINS = 36


@dataclass(frozen=True)
class Origins:
    """The fingerprints of accounts, one element each; payment is -1 where there is none."""

    device: Ints
    network: Ints
    payment: Ints
    email: Ints


def draw_origins(world: World, rng: np.random.Generator, region: Ints) -> Origins:
    """Return what ordinary people come from: mostly their own, some shared for good reasons.

    Families share a network and a means of payment, now and then a device; some phones were
    somebody else's before; some networks are a carrier's and serve thousands.
    """
    count = len(region)
    device, network, payment = (rng.integers(1, 2**48, count, dtype=np.int64) for _ in range(3))
    families = max(1, round((world.scale.creators + world.scale.viewers) / 20))
    in_family = rng.random(count) < 0.12
    home = rng.integers(0, families, count)
    network = np.where(in_family, make_codes(world, "home network", home), network)
    payment = np.where(in_family, make_codes(world, "home payment", home), payment)
    device = np.where(in_family & (rng.random(count) < 0.3), make_codes(world, "home device", home), device)
    resold = rng.random(count) < 0.02
    device = np.where(resold, make_codes(world, "resold device", rng.integers(0, 4 * families, count)), device)
    behind_carrier = rng.random(count) < 0.18
    network = np.where(behind_carrier, draw_carriers(world, rng, region), network)
    payment = np.where(rng.random(count) < 0.4, payment, NONE)
    return Origins(device, network, payment, draw_domains(world, rng, count))


def draw_carriers(world: World, rng: np.random.Generator, region: Ints) -> Ints:
    """Return for each region one of its mobile carriers' shared networks."""
    return make_codes(world, "carrier network", region, rng.integers(0, _CARRIERS_PER_REGION, len(region)))


def draw_domains(world: World, rng: np.random.Generator, count: int) -> Ints:
    """Return e-mail domains: six large ones, and thirty small ones now and then."""
    shares = np.concatenate([np.full(6, 1.0), np.full(_DOMAINS - 6, 0.03)])
    return make_codes(world, "e-mail domain", draw_choices(rng, shares, count))


def draw_farm_origins(world: World, rng: np.random.Generator, operator: Ints, region: Ints) -> Origins:
    """Return what the accounts of standing operators come from: a few devices and networks each.

    Half of an operator's accounts hide behind carriers, and a third have a device of their own.
    """
    count = len(operator)
    own = draw_origins(world, rng, region)
    device = make_codes(world, "farm device", operator, rng.integers(0, 10, count))
    network = make_codes(world, "farm network", operator, rng.integers(0, 2, count))
    return Origins(
        device=np.where(rng.random(count) < 0.66, device, own.device),
        network=np.where(rng.random(count) < 0.5, network, draw_carriers(world, rng, region)),
        payment=np.where(rng.random(count) < 0.4, make_codes(world, "farm payment", operator), own.payment),
        email=np.where(rng.random(count) < 0.4, make_codes(world, "farm domain", operator), own.email),
    )


def name_studio_networks(world: World, agency: Ints) -> Ints:
    """Return the network of each agency's studio; agencies are numbers, all given."""
    return make_codes(world, "studio network", agency)
