"""What the tests of packages share."""

from tests.packages.wares import bench

__all__ = ["bench"]
