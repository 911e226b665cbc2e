// Medusa as its guides have it for production, less the admin's pages. Cache, events, locks and the
// engine of workflows are what comes as default: in memory.
const { defineConfig } = require('@medusajs/framework/utils')

const here = 'http://127.0.0.1'

module.exports = defineConfig({
	projectConfig: {
		databaseUrl: process.env.DATABASE_URL,
		http: {
			storeCors: here,
			adminCors: here,
			authCors: here,
			jwtSecret: 'bench',
			cookieSecret: 'bench',
		},
	},
	admin: { disable: true },
})
