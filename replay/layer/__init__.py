"""An AWS Lambda layer: the half of this package that captures, and orjson for Lambda's platform."""
