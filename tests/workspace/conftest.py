"""The running workspace for the tests of this folder."""

from tests.fixtures_workspace import workspace as workspace
