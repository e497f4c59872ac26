"""The one family of errors whose message is fit to be shown to a user."""


class NightschoolError(Exception):
    """Something went wrong that a person can act on: the message says what happened and what to do."""


class BadInput(NightschoolError):
    """What was handed in cannot be used; the message names the place and the reason."""


class NotAllowed(NightschoolError):
    """The person asking does not hold the role that this action needs."""


class NotFound(NightschoolError):
    """A ticket, adapter, night or file of that name does not exist."""


class ModelUnavailable(NightschoolError):
    """The model server did not answer: down, hung, or refusing."""


class AdapterRejected(NightschoolError):
    """An adapter failed its preflight or its probe and is not served."""
