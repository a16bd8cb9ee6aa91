"""reprocheck: does this training run reproduce?"""

__version__ = "0.1.0"
