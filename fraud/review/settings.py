"""Django's settings for the review queue: what is the same for every home.

Which database and which secret key is known at run time only and set by
`fraud.review.database`; there is no default key.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "fraud.review",
]
MIDDLEWARE = [
    "fraud.review.web.headers.security_headers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "fraud.review.web.gate.gate",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "fraud.review.web.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "fraud.review.web.shown.page_context",
            ],
        },
    }
]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
LOGGING_CONFIG = None
"""Logging belongs to the entry point, not to a library that it loads."""

# -- who comes in --------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
BREACHED_PASSWORDS: Path | None = None
"""The operator's list of breached passwords, where the home has one."""
AUTH_PASSWORD_VALIDATORS = [
    {
        # 12: ours, between the 8 and 15 of NIST SP 800-63B rev. 4 with and without a second factor
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    # 20,000 passwords from known breaches, shipped with Django: nothing is asked over the network
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "fraud.review.passwords.GuessableValidator"},
    {"NAME": "fraud.review.passwords.BreachedValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = ["username", "ip_address"]
AXES_LOCKOUT_TEMPLATE = "review/locked_out.html"
AXES_RESET_ON_SUCCESS = True
AXES_DISABLE_ACCESS_LOG = True
AXES_VERBOSE = False
OTP_TOTP_ISSUER = "Callsieve"

# -- cookies and headers -------------------------------------------------------

SESSION_COOKIE_AGE = 8 * 3600
"""Seconds without a request after which a session ends. Ours: a working day."""
SESSION_SAVE_EVERY_REQUEST = False
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_NAME = "callsieve_session"
CSRF_COOKIE_NAME = "callsieve_csrf"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
CSRF_TRUSTED_ORIGINS: list[str] = []
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 600

# -- files ---------------------------------------------------------------------

STATIC_URL = "/static/"
STORAGES = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False

# -- the database --------------------------------------------------------------

BUSY_TIMEOUT_S = 20
"""How long to wait for another writer. Ours: a night's cases are written in about a second."""

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": "",
        "OPTIONS": {
            "timeout": BUSY_TIMEOUT_S,
            # the lock is taken at BEGIN, so what a transaction read still holds when it writes
            "transaction_mode": "IMMEDIATE",
        },
    }
}
