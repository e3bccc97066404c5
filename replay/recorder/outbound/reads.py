"""Which operations of AWS change nothing, so that one more or one less of them is no drift.

Imports the standard library and does no work at import. A read changes no state and consumes
nothing: CloudTrail's `readOnly` is the measure where it is known ("CloudTrail record contents" in
the CloudTrail user guide), with tokens, keys and signatures counted as read because they are made
anew for whoever asks. What is billed by what it computes (Bedrock, Comprehend, Rekognition's and
Textract's detection) consumes. Invariant: what is not known to be a read is none, because a write
that is taken for a read would hide drift.
"""

from collections.abc import Mapping
from itertools import takewhile
from typing import Any, Literal, TypeAlias

Ground: TypeAlias = Literal["exception", "trait", "method", "verb"]
"""What decided: a table here, the model's `readonly`, the HTTP method, or the operation's name."""

_READING = (
    "Check Count Describe Discover Download Estimate Filter Get Head Is List Lookup Query Read "
    "Retrieve Scan Search Select Simulate Validate"
)
_WRITING = (
    "Accept Add Associate Attach Cancel Claim Confirm Copy Create Delete Deregister Detach Disable "
    "Disassociate Enable Import Invoke Modify Publish Purge Put Receive Register Reject Remove "
    "Reset Restore Revoke Run Send Set Start Stop Submit Tag Terminate Untag Update Upload Write"
)
_READ_VERBS = frozenset(_READING.split())
_WRITE_VERBS = frozenset(_WRITING.split())
_PREFIXES = frozenset(("Admin", "Batch", "Transact"))
"""First words that say for whom or how many; the verb follows."""

_READS = frozenset(
    (
        # Pure functions of their parameters.
        "appsync EvaluateCode",
        "appsync EvaluateMappingTemplate",
        "events TestEventPattern",
        "logs TestMetricFilter",
        "logs TestTransformer",
        "ses TestRenderTemplate",
        "sesv2 TestRenderEmailTemplate",
        # Cryptography leaves a key as it is; how often it is asked depends on caches of data keys.
        "kms Decrypt",
        "kms DeriveSharedSecret",
        "kms Encrypt",
        "kms GenerateDataKey",
        "kms GenerateDataKeyPair",
        "kms GenerateDataKeyPairWithoutPlaintext",
        "kms GenerateDataKeyWithoutPlaintext",
        "kms GenerateMac",
        "kms GenerateRandom",
        "kms ReEncrypt",
        "kms Sign",
        "kms Verify",
        "kms VerifyMac",
        # Temporary credentials, asked for when the last ran out; for S3 Express by botocore itself.
        "s3 CreateSession",
        "sts AssumeRole",
        "sts AssumeRoleWithSAML",
        "sts AssumeRoleWithWebIdentity",
        "sts AssumeRoot",
        "sts DecodeAuthorizationMessage",
        # Support's verb of that name settles a case.
        "gamelift ResolveAlias",
    )
)
_WRITES = frozenset(
    (
        # Text and vectors made by a model are paid for by the token.
        "bedrock-agent-runtime RetrieveAndGenerate",
        "bedrock-agent-runtime RetrieveAndGenerateStream",
        # The first call makes an identity.
        "cognito-identity GetId",
        "cognito-identity GetOpenIdTokenForDeveloperIdentity",
        # Sends a message to a person; uses up a token or a code.
        "cognito-idp GetTokensFromRefreshToken",
        "cognito-idp GetUserAttributeVerificationCode",
        "endusermessaging ValidateNotifyCodeVerification",
        # Gives a licence back.
        "license-manager CheckInLicense",
        # May make the database user.
        "redshift GetClusterCredentials",
        "redshift GetClusterCredentialsWithIAM",
        "redshift-serverless GetCredentials",
        # Starts a job.
        "sagemaker GetScalingConfigurationRecommendation",
        # Takes a task, which nobody else is given then.
        "stepfunctions GetActivityTask",
        # Brings a tape back to a gateway.
        "storagegateway RetrieveTapeArchive",
        "storagegateway RetrieveTapeRecoveryPoint",
    )
)


def is_read(
    service: str, operation: str, http_method: str | None, traits: Mapping[str, Any]
) -> bool:
    """Return whether an operation changes nothing and consumes nothing; in doubt it does.

    `service` and `operation` are botocore's names ("dynamodb", "GetItem"), `traits` the operation
    as its model describes it, `http_method` the model's, which is POST in the protocols json,
    query, ec2 and cbor and says nothing there. Statements (PartiQL, SQL) may be either and are no
    reads. Sources: botocore's service models and the module's.
    """
    return judged(service, operation, http_method, traits)[0]


def judged(
    service: str, operation: str, http_method: str | None, traits: Mapping[str, Any]
) -> tuple[bool, Ground]:
    """Return whether an operation is a read as `is_read` does, and what decided it."""
    name, verb = f"{service} {operation}", _verb(operation)
    if name in _READS or name in _WRITES:
        return name in _READS, "exception"
    if verb in _WRITE_VERBS:
        # Before trait and method: some models call what starts or revokes readonly, or send GET.
        return False, "verb"
    if traits.get("readonly") is True:
        return True, "trait"
    if http_method not in (None, "POST"):
        return http_method in ("GET", "HEAD"), "method"
    return verb in _READ_VERBS, "verb"


def _verb(operation: str) -> str:
    """Return the first word of a name in camel case that is a verb: Get of BatchGetItem."""
    word = operation[:1] + "".join(takewhile(str.islower, operation[1:]))
    rest = operation.removeprefix(word)
    return _verb(rest) if word in _PREFIXES and rest else word
