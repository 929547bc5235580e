"""Quotas, and what exhausts them. Each is exhausted in a region of its own: regions share nothing."""

import dataclasses


@dataclasses.dataclass(frozen=True)
class Limit:
    operation: str
    error: str
    number: int


LIMITS = [
    Limit("CreateApplication", "ApplicationLimitExceeded", 1000),
    Limit("CreateDeploymentGroup", "DeploymentGroupLimitExceeded", 1000),
    Limit("CreateDeploymentConfig", "DeploymentConfigLimitExceeded", 200),
]
