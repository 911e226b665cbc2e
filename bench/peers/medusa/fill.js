// A shop that can sell, and products out of a file of JSON, made by Medusa's own workflows.
//
//	medusa exec fill.js PRODUCTS.json
const { readFileSync } = require('fs')
const { ContainerRegistrationKeys, Modules } = require('@medusajs/framework/utils')
const flows = require('@medusajs/medusa/core-flows')

const CURRENCY = 'eur'
const COUNTRY = 'de'
const AT_ONCE = 50

exports.default = async ({ container, args }) => {
	const run = async (workflow, input) => (await workflow(container).run({ input })).result
	const link = container.resolve(ContainerRegistrationKeys.LINK)

	const [channel] = await run(flows.createSalesChannelsWorkflow, {
		salesChannelsData: [{ name: 'Web' }],
	})
	const [key] = await run(flows.createApiKeysWorkflow, {
		api_keys: [{ title: 'Web', type: 'publishable', created_by: '' }],
	})
	await run(flows.linkSalesChannelsToApiKeyWorkflow, { id: key.id, add: [channel.id] })

	await run(flows.createRegionsWorkflow, {
		regions: [
			{
				name: 'Europe',
				currency_code: CURRENCY,
				countries: [COUNTRY],
				payment_providers: ['pp_system_default'],
			},
		],
	})
	await run(flows.createTaxRegionsWorkflow, [
		{
			country_code: COUNTRY,
			provider_id: 'tp_system',
			default_tax_rate: { rate: 19, code: 'standard', name: 'Standard' },
		},
	])

	const [location] = await run(flows.createStockLocationsWorkflow, {
		locations: [{ name: 'Warehouse' }],
	})
	await run(flows.linkSalesChannelsToStockLocationWorkflow, { id: location.id, add: [channel.id] })

	const [profile] = await run(flows.createShippingProfilesWorkflow, {
		data: [{ name: 'Parcel', type: 'default' }],
	})
	const set = await container.resolve(Modules.FULFILLMENT).createFulfillmentSets({
		name: 'Delivery',
		type: 'shipping',
		service_zones: [
			{ name: 'Europe', geo_zones: [{ type: 'country', country_code: COUNTRY }] },
		],
	})
	const stored = { [Modules.STOCK_LOCATION]: { stock_location_id: location.id } }
	const provider = 'manual_manual'
	await link.create([
		{ ...stored, [Modules.FULFILLMENT]: { fulfillment_set_id: set.id } },
		{ ...stored, [Modules.FULFILLMENT]: { fulfillment_provider_id: provider } },
	])
	await run(flows.createShippingOptionsWorkflow, [
		{
			name: 'Standard',
			price_type: 'flat',
			provider_id: provider,
			service_zone_id: set.service_zones[0].id,
			shipping_profile_id: profile.id,
			type: { label: 'Standard', description: 'Standard', code: 'standard' },
			prices: [{ currency_code: CURRENCY, amount: 5 }],
			rules: [
				{ attribute: 'enabled_in_store', value: 'true', operator: 'eq' },
				{ attribute: 'is_return', value: 'false', operator: 'eq' },
			],
		},
	])

	const described = JSON.parse(readFileSync(args[0]))
	for (let first = 0; first < described.length; first += AT_ONCE) {
		const products = described.slice(first, first + AT_ONCE).map((product) => ({
			title: product.name,
			description: product.description,
			status: 'published',
			shipping_profile_id: profile.id,
			sales_channels: [{ id: channel.id }],
			options: [{ title: 'Kind', values: ['Only'] }],
			variants: [
				{
					title: product.name,
					sku: product.sku,
					manage_inventory: true,
					options: { Kind: 'Only' },
					prices: [{ currency_code: CURRENCY, amount: product.price }],
				},
			],
		}))
		await run(flows.createProductsWorkflow, { products })
	}

	const stock = new Map(described.map((product) => [product.sku, product.inventory]))
	const items = await container.resolve(Modules.INVENTORY).listInventoryItems({}, { take: null })
	await run(flows.createInventoryLevelsWorkflow, {
		inventory_levels: items.map((item) => ({
			location_id: location.id,
			inventory_item_id: item.id,
			stocked_quantity: stock.get(item.sku),
		})),
	})
}
