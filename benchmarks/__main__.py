"""Run all benchmarks and print a line for each comparison."""

from __future__ import annotations

from benchmarks import at_scale, execution, planning, publishing, serving, shapes, startup


def main() -> None:
    """Print ours, what stands beside it, and the ratio."""
    for benchmark in (startup, shapes, planning, execution, publishing, serving, at_scale):
        print(f"\n{(benchmark.__doc__ or '').splitlines()[0]}")
        for comparison in benchmark.run():
            print(comparison, flush=True)


if __name__ == "__main__":
    main()
