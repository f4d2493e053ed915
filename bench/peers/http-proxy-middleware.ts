// What most people mount first: the proxy middleware on Express, with the token added and nothing checked.
import http from 'node:http';
import process from 'node:process';
import express from 'express';
import { createProxyMiddleware } from 'http-proxy-middleware';

const { PORT: port, UPSTREAM_PORT: upstreamPort, TOKEN: token } = process.env;

express()
  .use(
    createProxyMiddleware({
      target: `http://127.0.0.1:${upstreamPort}`,
      changeOrigin: true,
      headers: { authorization: `Bearer ${token}` },
      agent: new http.Agent({ keepAlive: true }),
    }),
  )
  .listen(Number(port), '127.0.0.1');
