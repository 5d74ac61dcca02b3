# The book in a container: one image for the web server, the worker and the sequencer. compose.yaml puts them together.
# Pin the base by its digest in your own build: --build-arg BASE=python:3.13-slim-bookworm@sha256:…

ARG BASE=python:3.13-slim-bookworm

# ---------------------------------------------------------------- the wheel of this checkout

FROM ${BASE} AS built
WORKDIR /build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
COPY requirements/build.txt requirements/build.txt
RUN pip install --require-hashes -r requirements/build.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN pip wheel --no-deps --no-build-isolation --wheel-dir /wheels .

# What it stands on, exactly as pinned, without a compiler: everything comes as a wheel.
COPY requirements/book.txt requirements/book.txt
RUN python -m venv /opt/comity \
    && /opt/comity/bin/pip install --require-hashes --only-binary :all: -r requirements/book.txt \
    && /opt/comity/bin/pip install --no-deps --no-index /wheels/*.whl

# ---------------------------------------------------------------- what runs

FROM ${BASE}
RUN useradd --system --uid 10001 --home-dir /var/lib/comity --shell /usr/sbin/nologin comity \
    && install -d -m 0700 -o comity -g comity /var/lib/comity
COPY --from=built /opt/comity /opt/comity
ENV PATH=/opt/comity/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 COMITY_FOLDER=/var/lib/comity
USER comity
VOLUME /var/lib/comity
EXPOSE 8000
STOPSIGNAL SIGTERM
ENTRYPOINT ["comity"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
