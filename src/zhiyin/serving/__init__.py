"""Floor 8: releases over HTTP."""
