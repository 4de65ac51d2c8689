# The support subgraph. Built and run by compose.yaml; needs nothing else.
FROM node:20-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build && npm prune --omit=dev --omit=optional

FROM node:20-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build --chown=node:node /app/package.json ./
COPY --from=build --chown=node:node /app/node_modules ./node_modules
COPY --from=build --chown=node:node /app/dist ./dist
# For SUPPORT_DATA_DIR: a fresh volume takes its owner from here.
RUN mkdir /app/data && chown node:node /app/data
USER node
EXPOSE 4000
CMD ["node", "dist/src/main.js"]
